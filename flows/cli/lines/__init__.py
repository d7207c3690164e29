"""Lines of text: how wide they are, how work under way is told, and where a log's lines go."""
