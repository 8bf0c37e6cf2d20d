"""Tables, JSON and text in any terminal."""
