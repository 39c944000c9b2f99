"""How datasets are laid out where they are published: one module per dataset finds its cases among its files."""
