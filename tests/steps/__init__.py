"""What `python3 run.py test | prove | bench | lock` do, once run.py has set the environment up."""
