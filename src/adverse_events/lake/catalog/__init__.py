"""Where Glue and Athena find a lake in a bucket."""
