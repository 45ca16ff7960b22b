"""`python -m ahsct_trial` is `ahsct`."""

from ahsct_trial.cli import main

if __name__ == "__main__":
    main()
