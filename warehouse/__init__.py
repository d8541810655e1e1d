"""What is stored: declarations of SIF objects, the inbox tables, reporting SQL and migrations."""
