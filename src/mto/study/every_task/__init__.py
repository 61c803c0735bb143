"""The study over every kind of task: is the aligned template family better there too, and how does a user choose?"""
