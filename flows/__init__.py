"""What runs, in what order, when: stages, the Prefect flow, reports, the command line."""
