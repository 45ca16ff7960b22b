"""How results look: screens, documents. Rounds and words figures, never computes one."""
