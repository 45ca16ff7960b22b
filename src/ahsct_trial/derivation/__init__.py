"""From the records of a trial to the columns of the patient table, each with the record that decided it."""
