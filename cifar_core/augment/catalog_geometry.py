"""Operations that move pixels or cover them."""

from cifar_core.augment.params import Param, Transform

_SMALL = "The albumentations default leaves too little of a 32x32 image."
_NOTHING = "The albumentations default changes nothing."
_BLACK = Param(
    "fill", (0, 0, 0), "RGB color, 0 to 255.", 0, 255, why="albumentations' 0, per channel."
)

_SCALE = Param("scale", (0.9, 1.1), "Scale factor.", 0.5, 2.0, why=_NOTHING)
_ROTATE = Param("rotate", (-15.0, 15.0), "Angle in degrees.", -180, 180, why=_NOTHING)

GEOMETRY = (
    Transform(
        "PadCrop",
        "Geometry",
        "Pad all sides, then crop a random 32x32 window.",
        (
            Param("padding", 4, "Padding on each side, in pixels.", 1, 8),
            Param(
                "mode", "constant", "Border: black or reflected.", choices=("constant", "reflect")
            ),
        ),
        batched=True,
        p=1.0,
    ),
    Transform("HorizontalFlip", "Geometry", "Mirror left and right.", batched=True),
    Transform("VerticalFlip", "Geometry", "Mirror top and bottom; unnatural for most classes."),
    Transform("Transpose", "Geometry", "Swap rows and columns."),
    Transform("RandomRotate90", "Geometry", "Rotate by a random multiple of 90 degrees.", p=0.5),
    Transform(
        "Rotate",
        "Geometry",
        "Rotate about the center; corners become black.",
        (
            Param(
                "limit",
                (-15.0, 15.0),
                "Angle in degrees.",
                -180,
                180,
                why="Few objects are tilted by 90 degrees.",
            ),
        ),
    ),
    Transform(
        "Affine",
        "Geometry",
        "Shift, scale and rotate in one step.",
        (
            Param(
                "translate_px",
                (-2, 2),
                "Shift in whole pixels, all equally likely.",
                -16,
                16,
                why=_NOTHING,
            ),
            _SCALE,
            _ROTATE,
            Param("keep_ratio", True, "One scale for both axes.", why="Keeps the shapes."),
            Param(
                "border_mode",
                "constant",
                "Border: black or reflected.",
                choices=("constant", "reflect"),
                why="albumentations' number, as a word.",
            ),
        ),
        # albumentations 2.0.8 cuts a fraction to whole pixels: of 1/16, two pixels, -1, 0 and 1 are
        # left, at 25, 50 and 25%.
        former=(
            Param(
                "translate_percent",
                (-0.0625, 0.0625),
                "Shift, as a fraction of the side, cut to whole pixels.",
                -0.5,
                0.5,
                why=_NOTHING,
            ),
            _SCALE,
            _ROTATE,
        ),
    ),
    Transform(
        "RandomResizedCrop",
        "Geometry",
        "Crop a random region and resize it to 32x32.",
        (
            Param("scale", (0.6, 1.0), "Area of the crop, as a fraction.", 0.05, 1.0, why=_SMALL),
            Param(
                "ratio",
                (0.75, 1.3333),
                "Aspect ratio (width / height) of the crop.",
                0.25,
                4.0,
                why="albumentations' 4/3, rounded to four digits.",
            ),
        ),
        p=1.0,
    ),
    Transform(
        "Perspective",
        "Geometry",
        "Perspective distortion.",
        (
            Param(
                "scale", (0.05, 0.1), "Shift of the corners, as a fraction of the side.", 0.0, 0.4
            ),
        ),
    ),
    Transform(
        "GridDistortion",
        "Geometry",
        "Distort along a coarse grid.",
        (
            Param("num_steps", 4, "Grid cells per side.", 2, 8, why="Divides 32 evenly."),
            Param("distort_limit", (-0.3, 0.3), "Distortion of a cell.", -0.9, 0.9),
        ),
    ),
    Transform(
        "OpticalDistortion",
        "Geometry",
        "Barrel or pincushion lens distortion.",
        (
            Param(
                "distort_limit",
                (-0.3, 0.3),
                "Distortion strength; the sign gives the direction.",
                -1,
                1,
                why="albumentations' 0.05 has no effect at 32x32.",
            ),
        ),
    ),
    Transform(
        "ElasticTransform",
        "Geometry",
        "Smooth random displacement of pixels.",
        (
            Param("alpha", 20.0, "Strength.", 0, 200, why="1 has no effect at 32x32."),
            Param("sigma", 4.0, "Smoothness, in pixels.", 1, 50, why="50 exceeds the image."),
        ),
    ),
    Transform(
        "RandomGridShuffle",
        "Geometry",
        "Split into tiles and shuffle them.",
        (Param("grid", (2, 2), "Rows and columns of tiles.", 1, 8, why="3 does not divide 32."),),
        p=0.1,
    ),
)

DROPOUT = (
    Transform(
        "Cutout",
        "Dropout",
        "Mask one square that lies fully inside the image.",
        (
            Param("size", 16, "Side of the square, in pixels.", 2, 24),
            Param(
                "fill",
                "mean",
                "Mean color of the training images, or black.",
                choices=("mean", "black"),
            ),
        ),
        batched=True,
    ),
    Transform(
        "CoarseDropout",
        "Dropout",
        "Mask several rectangles.",
        (
            Param(
                "num_holes_range",
                (1, 4),
                "Number of holes.",
                1,
                16,
                why="With 1 or 2 it is almost Cutout.",
            ),
            Param(
                "hole_height_range",
                (4, 8),
                "Height in pixels.",
                1,
                24,
                why="In pixels, not fractions.",
            ),
            Param(
                "hole_width_range",
                (4, 8),
                "Width in pixels.",
                1,
                24,
                why="In pixels, not fractions.",
            ),
            _BLACK,
        ),
    ),
    Transform(
        "GridDropout",
        "Dropout",
        "Mask squares on a grid.",
        (
            Param(
                "ratio", 0.4, "Side of a hole, as a fraction of the cell.", 0.25, 0.75, why=_SMALL
            ),
            Param(
                "unit_size_range",
                (6, 12),
                "Cell size in pixels.",
                4,
                16,
                why="albumentations' default is None.",
                apart=True,
            ),
            _BLACK,
        ),
    ),
    Transform(
        "PixelDropout",
        "Dropout",
        "Set random pixels to black.",
        (
            Param(
                "dropout_prob",
                0.05,
                "Fraction of pixels.",
                0,
                0.9,
                why="albumentations' 0.01 is 10 pixels.",
            ),
        ),
    ),
    Transform(
        "ChannelDropout",
        "Dropout",
        "Set one or two channels to zero.",
        (Param("channel_drop_range", (1, 1), "Number of channels to drop.", 1, 2),),
        p=0.1,
    ),
)
