"""What runs the pipeline on one machine: PostgreSQL, Airflow and the zone server as child processes."""
