"""Parts of the Grad-CAM page.

controls     layer, method, target class, and how maps are drawn
maps         maps on the screen
comparison   several maps of one image
errors       to the error before and after
upload       an uploaded image
ranking      ROAD ranking of layers and methods
"""
