"""The pages under docs/ and the README, held to what they say."""
