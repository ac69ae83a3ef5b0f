"""Singer and its SDK: the configuration, the streams that are loaded, stream maps, flattening."""
