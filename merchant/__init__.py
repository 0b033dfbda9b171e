"""Who we are and how we speak to PaySuper: people, merchants, projects, rights, the API client."""
