"""The catalogue's operations that change colours, blur, or add noise."""

from cifar_core.augment.params import Param, Transform

_STRONG = "At 32x32 the library's own hides what the picture shows."
_FIXED = "The library's own is a single value."

COLOUR = (
    Transform(
        "ColorJitter",
        "Colour",
        "Change brightness, contrast, saturation and hue in random order.",
        (
            Param("brightness", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param("contrast", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param("saturation", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param(
                "hue",
                (-0.05, 0.05),
                "Turn of the colour wheel, in turns.",
                -0.5,
                0.5,
                why="Half a turn makes a green frog purple.",
            ),
        ),
    ),
    Transform(
        "RandomBrightnessContrast",
        "Colour",
        "Lighter or darker, harder or softer.",
        (
            Param("brightness_limit", (-0.2, 0.2), "Added, share of full white.", -1, 1),
            Param("contrast_limit", (-0.2, 0.2), "Added to the factor 1.", -1, 1),
        ),
    ),
    Transform(
        "HueSaturationValue",
        "Colour",
        "Shift hue, saturation and value.",
        (
            Param("hue_shift_limit", (-10.0, 10.0), "Of 180.", -90, 90, why="As in ColorJitter."),
            Param("sat_shift_limit", (-20.0, 20.0), "Of 255.", -255, 255, why="As the other two."),
            Param("val_shift_limit", (-20.0, 20.0), "Of 255.", -255, 255),
        ),
    ),
    Transform(
        "RandomGamma",
        "Colour",
        "Bend the tone curve.",
        (Param("gamma_limit", (80.0, 120.0), "Per cent; 100 changes nothing.", 20, 400),),
    ),
    Transform(
        "RandomToneCurve",
        "Colour",
        "Bend the tone curve as an S.",
        (Param("scale", 0.1, "How far.", 0, 1),),
    ),
    Transform(
        "RGBShift",
        "Colour",
        "Add a number to each channel.",
        (
            Param("r_shift_limit", (-20.0, 20.0), "Red, of 255.", -255, 255),
            Param("g_shift_limit", (-20.0, 20.0), "Green, of 255.", -255, 255),
            Param("b_shift_limit", (-20.0, 20.0), "Blue, of 255.", -255, 255),
        ),
    ),
    Transform("PlanckianJitter", "Colour", "Another light: from candle to clear sky."),
    Transform(
        "Illumination",
        "Colour",
        "Light from one side.",
        (Param("intensity_range", (0.01, 0.2), "How much.", 0.01, 0.2),),
    ),
    Transform(
        "CLAHE",
        "Colour",
        "Even out the contrast of neighbourhoods.",
        (
            Param("clip_limit", (1.0, 4.0), "How hard.", 1, 16, why="What the library makes of 4."),
            Param("tile_grid_size", (4, 4), "Tiles.", 2, 8, why="8 x 8 tiles have 4 x 4 pixels."),
        ),
        p=0.2,
    ),
    Transform("Equalize", "Colour", "Spread the values of each channel evenly.", p=0.1),
    Transform("AutoContrast", "Colour", "Stretch the values to the whole range.", p=0.1),
    Transform("ToGray", "Colour", "Take the colour away.", p=0.1),
    Transform("ChannelShuffle", "Colour", "Exchange red, green and blue.", p=0.1),
    Transform("InvertImg", "Colour", "The negative.", p=0.1),
    Transform(
        "Solarize",
        "Colour",
        "The negative of what is lighter than a threshold.",
        (Param("threshold_range", (0.5, 0.9), "Share of full white.", 0, 1, why=_FIXED),),
        p=0.1,
    ),
    Transform(
        "Posterize",
        "Colour",
        "Keep only the upper bits of each channel.",
        (Param("num_bits", (4, 6), "Bits kept.", 1, 7, why=_FIXED),),
        p=0.2,
    ),
)

BLUR_AND_NOISE = (
    Transform(
        "Sharpen",
        "Blur and noise",
        "Crisper edges.",
        (Param("alpha", (0.2, 0.5), "Share of the sharpened picture.", 0.0, 1.0),),
        p=0.2,
    ),
    Transform(
        "Emboss",
        "Blur and noise",
        "As if stamped.",
        (
            Param("alpha", (0.2, 0.5), "Share of the embossed picture.", 0, 1),
            Param("strength", (0.2, 0.7), "How deep.", 0, 2),
        ),
        p=0.2,
    ),
    Transform(
        "GaussianBlur",
        "Blur and noise",
        "Soften.",
        (Param("sigma_limit", (0.2, 0.8), "Width in pixels.", 0.1, 3.0, why=_STRONG),),
        p=0.2,
    ),
    Transform(
        "Blur",
        "Blur and noise",
        "Mean of a square.",
        (Param("blur_limit", (3, 3), "Side in pixels, odd.", 3, 9, why=_STRONG, odd=True),),
        p=0.2,
    ),
    Transform(
        "MedianBlur",
        "Blur and noise",
        "Median of a square: takes single pixels away.",
        (Param("blur_limit", (3, 3), "Side in pixels, odd.", 3, 9, why=_STRONG, odd=True),),
        p=0.2,
    ),
    Transform(
        "MotionBlur",
        "Blur and noise",
        "As if the camera had moved.",
        (Param("blur_limit", (3, 5), "Length in pixels, odd.", 3, 9, why=_STRONG, odd=True),),
        p=0.2,
    ),
    Transform(
        "Downscale",
        "Blur and noise",
        "Fewer pixels, then as many as before.",
        (Param("scale_range", (0.5, 0.75), "Share of the side.", 0.1, 0.95, why=_STRONG),),
        p=0.2,
    ),
    Transform(
        "ImageCompression",
        "Blur and noise",
        "What JPEG leaves.",
        (Param("quality_range", (50, 90), "1 to 100.", 1, 100, why="99 leaves all there is."),),
        p=0.2,
    ),
    Transform(
        "GaussNoise",
        "Blur and noise",
        "Grain.",
        (
            Param(
                "std_range",
                (0.02, 0.06),
                "Standard deviation, share of full white.",
                0,
                0.5,
                why=_STRONG,
            ),
        ),
        p=0.2,
    ),
    Transform(
        "ISONoise",
        "Blur and noise",
        "The grain of a camera in the dark.",
        (
            Param("color_shift", (0.01, 0.05), "Of the hue, in turns.", 0, 0.5),
            Param("intensity", (0.1, 0.5), "How much.", 0, 1),
        ),
        p=0.2,
    ),
    Transform(
        "ShotNoise",
        "Blur and noise",
        "Few photons.",
        (Param("scale_range", (0.01, 0.1), "How few.", 0.001, 0.3, why=_STRONG),),
        p=0.2,
    ),
    Transform(
        "MultiplicativeNoise",
        "Blur and noise",
        "Times a random factor.",
        (Param("multiplier", (0.9, 1.1), "Factor.", 0.1, 3),),
        p=0.2,
    ),
    Transform(
        "SaltAndPepper",
        "Blur and noise",
        "White and black pixels.",
        (
            Param("amount", (0.01, 0.06), "Share of the pixels.", 0, 0.5),
            Param("salt_vs_pepper", (0.4, 0.6), "Share of the white ones.", 0, 1),
        ),
        p=0.2,
    ),
)
