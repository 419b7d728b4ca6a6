"""Figures as SVG, for the page and for print."""
