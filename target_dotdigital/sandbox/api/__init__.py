"""The sandbox's routes: Dotdigital's v2 and v3, and those that steer the sandbox."""
