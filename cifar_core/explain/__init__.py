"""Class activation maps: Grad-CAM and related methods.

maps         maps and cards of images for a checkpoint
targets      the target class of a map
gradcam      class activation maps through pytorch-grad-cam, on a shared scale
methods      the CAM methods, with their sources
library      pytorch-grad-cam's classes, adapted
layers       the layers a map can be computed at
cost         estimated time of maps
error_maps   those of a run's most confident errors, kept beside it
comparisons  several maps of one image, side by side
road         ROAD: ranks layers and methods by faithfulness
overlay      maps as a heatmap over the image
pairs        maps of an image for two classes, on one scale
sheet        images, maps and overlays as one PNG
"""
