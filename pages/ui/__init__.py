"""What the pages share: the boot guard, cached loaders, session keys, parts of the screen."""
