"""Parts of the Grad-CAM page.

maps         layer, method, target; maps on the screen
comparison   several maps of one image
upload       a picture of one's own
ranking      ROAD ranking of layers and methods
"""
