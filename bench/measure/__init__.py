"""What the benches share: reports, processes' costs, viewers, and what became of frames in Kafka."""
