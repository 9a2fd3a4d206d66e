"""One call for every student: problems in, students with a status and a certificate out."""
