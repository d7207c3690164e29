"""Activity: records since a watermark, sent in batches."""
