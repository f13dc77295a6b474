"""The diary: what participants and caregivers send from their phones, judged and kept."""
