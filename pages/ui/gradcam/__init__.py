"""Parts of the Grad-CAM page.

maps         layer, method, target class; maps on the screen
comparison   several maps of one image
upload       an uploaded image
ranking      ROAD ranking of layers and methods
"""
