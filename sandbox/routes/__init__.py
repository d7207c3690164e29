"""The endpoints, and the page at `/`: what is asked, checked and answered."""
