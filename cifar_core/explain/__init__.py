"""Where a model looked: Grad-CAM and its relatives.

maps         from a checkpoint and images to maps and cards
targets      the class that a map is about
gradcam      class activation maps through pytorch-grad-cam, and scales that compare
methods      the CAM methods on offer, with their sources
library      pytorch-grad-cam's classes, adapted
layers       the layers a map can be made at
cost         how long maps will take
comparisons  several maps of one image side by side
road         ROAD: which layer and method to trust
overlay      maps as colours over the image
sheet        images, maps and overlays on one PNG
"""
