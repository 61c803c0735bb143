"""The study of matching: how good is the family that each signal, rule and the decision would have chosen?"""
