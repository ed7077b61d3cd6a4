from hypothesis import settings

# A slow machine is no failure.
settings.register_profile("dragon", deadline=None)
settings.load_profile("dragon")
