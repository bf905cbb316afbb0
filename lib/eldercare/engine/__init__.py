"""Arrays with named dims, quantities declared once, and how they are worked out, whatever they
stand for.
"""
