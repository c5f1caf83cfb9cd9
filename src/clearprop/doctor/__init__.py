"""The doctor: what is wrong with a training, by which measurement, and what to type instead."""

from clearprop.doctor.catalogue import ILLNESSES
from clearprop.doctor.examination import Doctor, examine
from clearprop.doctor.illness import Examination, Finding, Illness, Names

__all__ = ["ILLNESSES", "Doctor", "Examination", "Finding", "Illness", "Names", "examine"]
