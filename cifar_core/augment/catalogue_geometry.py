"""The catalogue's operations that move pixels or cover them."""

from cifar_core.augment.params import Param, Transform

_SMALL = "At 32x32 the library's would leave little of the picture."
_NOTHING = "The library's own changes nothing."
_BLACK = Param(
    "fill", (0, 0, 0), "Colour, 0 to 255.", 0, 255, why="The library's 0, for each channel."
)

GEOMETRY = (
    Transform(
        "PadCrop",
        "Geometry",
        "Pad on all sides, then cut a random 32x32 window.",
        (
            Param("padding", 4, "Pixels added on each side.", 1, 8),
            Param(
                "mode", "constant", "Black border, or mirrored.", choices=("constant", "reflect")
            ),
        ),
        batched=True,
        p=1.0,
    ),
    Transform("HorizontalFlip", "Geometry", "Mirror left and right.", batched=True),
    Transform("VerticalFlip", "Geometry", "Upside down; few classes survive this unharmed."),
    Transform("Transpose", "Geometry", "Swap rows and columns."),
    Transform("RandomRotate90", "Geometry", "Turn by a random number of quarters.", p=0.5),
    Transform(
        "Rotate",
        "Geometry",
        "Turn around the middle; the corners become black.",
        (Param("limit", (-15.0, 15.0), "Degrees.", -180, 180, why="A horse seldom lies."),),
    ),
    Transform(
        "Affine",
        "Geometry",
        "Shift, scale, rotate and shear in one step.",
        (
            Param(
                "translate_percent",
                (-0.0625, 0.0625),
                "Shift, share of the side.",
                -0.5,
                0.5,
                why=_NOTHING,
            ),
            Param("scale", (0.9, 1.1), "Zoom factor.", 0.5, 2.0, why=_NOTHING),
            Param("rotate", (-15.0, 15.0), "Degrees.", -180, 180, why=_NOTHING),
        ),
    ),
    Transform(
        "RandomResizedCrop",
        "Geometry",
        "Cut a random part and stretch it back to 32x32.",
        (
            Param("scale", (0.6, 1.0), "Share of the area that is kept.", 0.05, 1.0, why=_SMALL),
            Param(
                "ratio",
                (0.75, 1.3333),
                "Width over height of the part.",
                0.25,
                4.0,
                why="The library's 4/3, in digits that people can type.",
            ),
        ),
        p=1.0,
    ),
    Transform(
        "Perspective",
        "Geometry",
        "Tilt the picture plane.",
        (Param("scale", (0.05, 0.1), "How far the corners move, share of the side.", 0.0, 0.4),),
    ),
    Transform(
        "GridDistortion",
        "Geometry",
        "Bend the picture along a coarse grid.",
        (
            Param("num_steps", 4, "Grid cells per side.", 2, 8, why="Cells of whole pixels."),
            Param("distort_limit", (-0.3, 0.3), "How far a cell is bent.", -0.9, 0.9),
        ),
    ),
    Transform(
        "OpticalDistortion",
        "Geometry",
        "Bulge or pinch, as a lens does.",
        (
            Param(
                "distort_limit",
                (-0.3, 0.3),
                "Inwards below 0, outwards above.",
                -1,
                1,
                why="The library's 0.05 moves no pixel of 32.",
            ),
        ),
    ),
    Transform(
        "ElasticTransform",
        "Geometry",
        "Push pixels about at random, neighbours together.",
        (
            Param("alpha", 20.0, "How far.", 0, 200, why="The library's 1 moves no pixel of 32."),
            Param(
                "sigma", 4.0, "Pixels that move together.", 1, 50, why="50 is more than a picture."
            ),
        ),
    ),
    Transform(
        "RandomGridShuffle",
        "Geometry",
        "Cut into tiles and shuffle them.",
        (Param("grid", (2, 2), "Tiles in height and width.", 1, 8, why="32 has no third."),),
        p=0.1,
    ),
)

DROPOUT = (
    Transform(
        "Cutout",
        "Dropout",
        "Cover one square, always fully inside the picture.",
        (
            Param("size", 16, "Side of the square in pixels.", 2, 24),
            Param("fill", "mean", "The data's mean colour, or black.", choices=("mean", "black")),
        ),
        batched=True,
    ),
    Transform(
        "CoarseDropout",
        "Dropout",
        "Cover several rectangles.",
        (
            Param("num_holes_range", (1, 4), "How many.", 1, 16, why="Two is close to Cutout."),
            Param("hole_height_range", (4, 8), "Height in pixels.", 1, 24, why="Not shares."),
            Param("hole_width_range", (4, 8), "Width in pixels.", 1, 24, why="Not shares."),
            _BLACK,
        ),
    ),
    Transform(
        "GridDropout",
        "Dropout",
        "Cover squares of a grid.",
        (
            Param("ratio", 0.4, "Side of a hole, share of a cell.", 0.25, 0.75, why=_SMALL),
            Param(
                "unit_size_range",
                (6, 12),
                "Cell in pixels.",
                4,
                16,
                why="The library's is None.",
                apart=True,
            ),
            _BLACK,
        ),
    ),
    Transform(
        "PixelDropout",
        "Dropout",
        "Cover single pixels with black.",
        (Param("dropout_prob", 0.05, "Share of the pixels.", 0, 0.9, why="0.01 is 10 of 1,024."),),
    ),
    Transform(
        "ChannelDropout",
        "Dropout",
        "Turn a whole channel, or two, black.",
        (Param("channel_drop_range", (1, 1), "How many of the three.", 1, 2),),
        p=0.1,
    ),
)
