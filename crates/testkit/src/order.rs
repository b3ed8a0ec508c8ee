//! Calls and answers of a history in the order of their times, from which operations can be taken out and put back.

use crate::Operation;

/// Both ends of the list.
pub(crate) const END: usize = 0;

/// A doubly linked list over fixed places: taking out and putting back in reverse order costs a few writes each.
#[derive(Debug)]
pub(crate) struct Order {
    next: Vec<usize>,
    previous: Vec<usize>,
    events: Vec<Event>,
    /// Of each operation, the place of its call, and that of its answer.
    places: Vec<(usize, Option<usize>)>,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Call(usize),
    Answer,
}

impl Order {
    /// Every call and answer by time. At equal times calls come first: the operations count as concurrent, which accuses
    /// nobody wrongly.
    pub(crate) fn of<O, A>(history: &[Operation<O, A>]) -> Self {
        let calls = history.iter().enumerate().map(|(index, operation)| (operation.called, false, index));
        let answers = history
            .iter()
            .enumerate()
            .filter_map(|(index, operation)| operation.answered.as_ref().map(|(_, at)| (*at, true, index)));
        let mut timed: Vec<(u64, bool, usize)> = calls.chain(answers).collect();
        timed.sort_unstable();
        let mut places = vec![(END, None); history.len()];
        let mut events = vec![Event::Answer];
        for (place, (_, answer, index)) in (1..).zip(timed) {
            if answer {
                places[index].1 = Some(place);
                events.push(Event::Answer);
            } else {
                places[index].0 = place;
                events.push(Event::Call(index));
            }
        }
        let count = events.len();
        let next = (1..=count).map(|place| place % count).collect();
        let previous = (0..count).map(|place| (place + count - 1) % count).collect();
        Self { next, previous, events, places }
    }

    /// The place behind this one; [`END`] behind the last, and the first behind [`END`].
    pub(crate) fn after(&self, place: usize) -> usize {
        self.next[place]
    }

    /// The call at a place that is left; `None` for an answer and at the end.
    pub(crate) fn call_at(&self, place: usize) -> Option<usize> {
        match self.events[place] {
            Event::Call(index) => Some(index),
            Event::Answer => None,
        }
    }

    /// The place of an operation's call.
    pub(crate) fn call_of(&self, index: usize) -> usize {
        self.places[index].0
    }

    /// Takes an operation out.
    pub(crate) fn take(&mut self, index: usize) {
        let (call, answer) = self.places[index];
        self.unlink(call);
        if let Some(answer) = answer {
            self.unlink(answer);
        }
    }

    /// Puts back the operation that was taken out last of those that are out.
    pub(crate) fn put_back(&mut self, index: usize) {
        let (call, answer) = self.places[index];
        if let Some(answer) = answer {
            self.link(answer);
        }
        self.link(call);
    }

    fn unlink(&mut self, place: usize) {
        let (before, behind) = (self.previous[place], self.next[place]);
        self.next[before] = behind;
        self.previous[behind] = before;
    }

    fn link(&mut self, place: usize) {
        let (before, behind) = (self.previous[place], self.next[place]);
        self.next[before] = place;
        self.previous[behind] = place;
    }
}
