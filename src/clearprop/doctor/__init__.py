"""What is wrong with a training: in which layer, by which measurement, and what to type instead."""

from clearprop.doctor.callback import Doctor
from clearprop.doctor.catalogue import ILLNESSES
from clearprop.doctor.examination import examine
from clearprop.doctor.finding import Examination, Finding, Names

__all__ = ["ILLNESSES", "Doctor", "Examination", "Finding", "Names", "examine"]
