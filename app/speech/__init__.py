"""Text to speech: engines, the splitter, checks, and the joining of segments into one file."""
