from .find import find_mistakes as find_mistakes
