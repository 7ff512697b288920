"""The doctor's checks of feeds: files, hosts, how old the news is, rooms that suddenly have no meeting."""

from placed_icalendar.feeds.feed_diagnosis.feed_examination import FeedExamination

__all__ = ["FeedExamination"]
