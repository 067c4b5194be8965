"""The commands, one file each: options in, values out."""
