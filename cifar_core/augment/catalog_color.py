"""Operations that change colors, blur, or add noise."""

from cifar_core.augment.params import Param, Transform

_STRONG = "The albumentations default is too strong at 32x32."
_FIXED = "The albumentations default is a single value."

COLOR = (
    Transform(
        "ColorJitter",
        "Color",
        "Change brightness, contrast, saturation and hue in random order.",
        (
            Param("brightness", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param("contrast", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param("saturation", (0.8, 1.2), "Factor.", 0.0, 3.0),
            Param(
                "hue",
                (-0.05, 0.05),
                "Hue shift, as a fraction of the full circle.",
                -0.5,
                0.5,
                why="Large shifts change typical class colors.",
            ),
        ),
    ),
    Transform(
        "RandomBrightnessContrast",
        "Color",
        "Change brightness and contrast.",
        (
            Param("brightness_limit", (-0.2, 0.2), "Added to the image; 1 is full white.", -1, 1),
            Param("contrast_limit", (-0.2, 0.2), "Change of the contrast factor.", -1, 1),
        ),
    ),
    Transform(
        "HueSaturationValue",
        "Color",
        "Shift hue, saturation and value.",
        (
            Param(
                "hue_shift_limit",
                (-10.0, 10.0),
                "Hue shift, of 180.",
                -90,
                90,
                why="Similar to ColorJitter.",
            ),
            Param(
                "sat_shift_limit", (-20.0, 20.0), "Added, of 255.", -255, 255, why="Same as val."
            ),
            Param("val_shift_limit", (-20.0, 20.0), "Added, of 255.", -255, 255),
        ),
    ),
    Transform(
        "RandomGamma",
        "Color",
        "Change the gamma.",
        (Param("gamma_limit", (80.0, 120.0), "Gamma in percent; 100 changes nothing.", 20, 400),),
    ),
    Transform(
        "RandomToneCurve",
        "Color",
        "Random S-shaped tone curve.",
        (Param("scale", 0.1, "Strength.", 0, 1),),
    ),
    Transform(
        "RGBShift",
        "Color",
        "Add an offset to each channel.",
        (
            Param("r_shift_limit", (-20.0, 20.0), "Red, of 255.", -255, 255),
            Param("g_shift_limit", (-20.0, 20.0), "Green, of 255.", -255, 255),
            Param("b_shift_limit", (-20.0, 20.0), "Blue, of 255.", -255, 255),
        ),
    ),
    Transform("PlanckianJitter", "Color", "Change the color temperature of the light."),
    Transform(
        "Illumination",
        "Color",
        "Add a linear brightness gradient.",
        (Param("intensity_range", (0.01, 0.2), "Strength.", 0.01, 0.2),),
    ),
    Transform(
        "CLAHE",
        "Color",
        "Adaptive histogram equalization of local contrast.",
        (
            Param(
                "clip_limit",
                (1.0, 4.0),
                "Contrast limit.",
                1,
                16,
                why="albumentations expands 4 to this.",
            ),
            Param(
                "tile_grid_size",
                (4, 4),
                "Rows and columns.",
                2,
                8,
                why="At 8, a tile has 4x4 pixels.",
            ),
        ),
        p=0.2,
    ),
    Transform("Equalize", "Color", "Equalize the histogram of each channel.", p=0.1),
    Transform("AutoContrast", "Color", "Stretch values to the full range.", p=0.1),
    Transform("ToGray", "Color", "Convert to grayscale.", p=0.1),
    Transform("ChannelShuffle", "Color", "Shuffle the color channels.", p=0.1),
    Transform("InvertImg", "Color", "Invert all pixel values.", p=0.1),
    Transform(
        "Solarize",
        "Color",
        "Invert pixels above a threshold.",
        (Param("threshold_range", (0.5, 0.9), "Threshold; 1 is full white.", 0, 1, why=_FIXED),),
        p=0.1,
    ),
    Transform(
        "Posterize",
        "Color",
        "Reduce the number of bits per channel.",
        (Param("num_bits", (4, 6), "Bits per channel.", 1, 7, why=_FIXED),),
        p=0.2,
    ),
)

BLUR_AND_NOISE = (
    Transform(
        "Sharpen",
        "Blur and noise",
        "Sharpen edges.",
        (Param("alpha", (0.2, 0.5), "Weight of the sharpened image.", 0.0, 1.0),),
        p=0.2,
    ),
    Transform(
        "Emboss",
        "Blur and noise",
        "Emboss effect.",
        (
            Param("alpha", (0.2, 0.5), "Weight of the embossed image.", 0, 1),
            Param("strength", (0.2, 0.7), "Strength.", 0, 2),
        ),
        p=0.2,
    ),
    Transform(
        "GaussianBlur",
        "Blur and noise",
        "Gaussian blur.",
        (Param("sigma_limit", (0.2, 0.8), "Sigma in pixels.", 0.1, 3.0, why=_STRONG),),
        p=0.2,
    ),
    Transform(
        "Blur",
        "Blur and noise",
        "Box blur.",
        (Param("blur_limit", (3, 3), "Kernel size in pixels, odd.", 3, 9, why=_STRONG, odd=True),),
        p=0.2,
    ),
    Transform(
        "MedianBlur",
        "Blur and noise",
        "Median filter; removes isolated pixels.",
        (Param("blur_limit", (3, 3), "Kernel size in pixels, odd.", 3, 9, why=_STRONG, odd=True),),
        p=0.2,
    ),
    Transform(
        "MotionBlur",
        "Blur and noise",
        "Blur along a random direction.",
        (Param("blur_limit", (3, 5), "Kernel size in pixels, odd.", 3, 9, why=_STRONG, odd=True),),
        p=0.2,
    ),
    Transform(
        "Downscale",
        "Blur and noise",
        "Downscale, then upscale again.",
        (Param("scale_range", (0.5, 0.75), "Scale of the small image.", 0.1, 0.95, why=_STRONG),),
        p=0.2,
    ),
    Transform(
        "ImageCompression",
        "Blur and noise",
        "JPEG compression artifacts.",
        (
            Param(
                "quality_range",
                (50, 90),
                "JPEG quality.",
                1,
                100,
                why="albumentations' 99 has no visible effect.",
            ),
        ),
        p=0.2,
    ),
    Transform(
        "GaussNoise",
        "Blur and noise",
        "Gaussian noise.",
        (
            Param(
                "std_range",
                (0.02, 0.06),
                "Standard deviation; 1 is full white.",
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
        "Camera sensor noise.",
        (
            Param(
                "color_shift", (0.01, 0.05), "Hue noise, as a fraction of the full circle.", 0, 0.5
            ),
            Param("intensity", (0.1, 0.5), "Strength.", 0, 1),
        ),
        p=0.2,
    ),
    Transform(
        "ShotNoise",
        "Blur and noise",
        "Photon (Poisson) noise.",
        (Param("scale_range", (0.01, 0.1), "Noise level.", 0.001, 0.3, why=_STRONG),),
        p=0.2,
    ),
    Transform(
        "MultiplicativeNoise",
        "Blur and noise",
        "Multiply by a random factor.",
        (Param("multiplier", (0.9, 1.1), "Factor.", 0.1, 3),),
        p=0.2,
    ),
    Transform(
        "SaltAndPepper",
        "Blur and noise",
        "Set random pixels to white or black.",
        (
            Param("amount", (0.01, 0.06), "Fraction of pixels.", 0, 0.5),
            Param("salt_vs_pepper", (0.4, 0.6), "Fraction of them set to white.", 0, 1),
        ),
        p=0.2,
    ),
)
