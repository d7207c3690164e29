"""For machines that watch: metrics as Prometheus reads them, traces as OpenTelemetry has them."""
