"""What one browser tab holds, and the views it shows."""
