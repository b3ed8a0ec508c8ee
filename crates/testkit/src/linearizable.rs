//! Whether a history is linearizable.
//!
//! The search is Wing and Gong's with Lowe's memory of what was tried (J. Wing, C. Gong, "Testing and Verifying Concurrent
//! Objects", 1993; G. Lowe, "Testing for linearizability", 2017), over a linked list as A. Horn and D. Kroening describe
//! it ("Faster linearizability checking via P-compositionality", 2015). Objects that share nothing, such as two patients,
//! are checked one by one, which is sound by the same paper.

use std::collections::HashSet;
use std::hash::Hash;

use crate::Operation;
use crate::order::{END, Order};

/// An object that does one thing at a time.
pub trait Model {
    /// What it holds.
    type State: Clone + Eq + Hash;
    /// What can be asked of it.
    type Asked;
    /// What it can answer.
    type Answer;

    /// What it holds at first.
    fn initial(&self) -> Self::State;

    /// What it holds after it answered so; `None` where it would not have answered so.
    fn answered(&self, state: &Self::State, asked: &Self::Asked, answer: &Self::Answer) -> Option<Self::State>;

    /// What it holds after it did what was asked, whatever it answered; `None` where that changes nothing.
    fn done(&self, state: &Self::State, asked: &Self::Asked) -> Option<Self::State>;

    /// Whether what was asked changes nothing in this state, nor in any that can follow it. `false` is always right, and
    /// leaves the operation to be tried again behind every other.
    fn spent(&self, state: &Self::State, asked: &Self::Asked) -> bool;
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order that explains every answer.
    Linearizable,
    /// There is none.
    Violated(Violation),
    /// Nobody knows after so many steps.
    Undecided {
        /// As many as were allowed.
        steps: u64,
    },
}

/// What a check found, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it found.
    pub verdict: Verdict,
    /// Operations tried or taken back.
    pub steps: u64,
}

/// How far an order came. Operations are positions in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The longest order that explains the answers in it.
    pub explained: Vec<usize>,
    /// Operations that could have come next, and whose answers nothing explains.
    pub stuck: Vec<usize>,
}

/// Looks for an order of the history's operations that respects their times and explains every answer, in at most
/// `max_steps` steps. The time grows with the operations that overlap, and not with the length of the history.
pub fn check<M: Model>(model: &M, history: &[Operation<M::Asked, M::Answer>], max_steps: u64) -> Verdict {
    check_counting(model, history, max_steps).verdict
}

/// As [`check`], and says how many steps it took.
pub fn check_counting<M: Model>(model: &M, history: &[Operation<M::Asked, M::Answer>], max_steps: u64) -> Checked {
    let mut search = Search::of(model, history);
    for steps in 0..max_steps {
        if let Some(verdict) = search.step() {
            return Checked { verdict, steps };
        }
    }
    Checked { verdict: Verdict::Undecided { steps: max_steps }, steps: max_steps }
}

/// An order that is being made, from the first operation on.
struct Search<'a, M: Model> {
    model: &'a M,
    history: &'a [Operation<M::Asked, M::Answer>],
    /// What is not in the order yet.
    order: Order,
    /// Answers in it.
    left: usize,
    /// What the object holds behind the order so far.
    state: M::State,
    taken: Taken,
    tried: HashSet<(Taken, M::State)>,
    line: Vec<Taking<M::State>>,
    /// Operations of the line that are in the order.
    explained: usize,
    furthest: Violation,
    /// Where the next operation is looked for, and which.
    place: usize,
    pass: Pass,
}

impl<'a, M: Model> Search<'a, M> {
    fn of(model: &'a M, history: &'a [Operation<M::Asked, M::Answer>]) -> Self {
        let order = Order::of(history);
        Self {
            model,
            history,
            left: history.iter().filter(|operation| operation.answered.is_some()).count(),
            state: model.initial(),
            taken: Taken::none_of(history.len()),
            tried: HashSet::new(),
            line: Vec::new(),
            explained: 0,
            furthest: Violation { explained: Vec::new(), stuck: Vec::new() },
            place: order.after(END),
            pass: Pass::FIRST,
            order,
        }
    }

    /// Looks at one place.
    fn step(&mut self) -> Option<Verdict> {
        // Operations without an answer need not have happened.
        if self.left == 0 {
            return Some(Verdict::Linearizable);
        }
        if let Some(index) = self.order.call_at(self.place) {
            self.consider(index);
        } else if let Some(following) = self.pass.following() {
            self.pass = following;
            self.place = self.order.after(END);
        } else if !self.go_back() {
            return Some(Verdict::Violated(self.furthest.clone()));
        }
        None
    }

    /// Takes an operation into the order where it can come next, or goes on behind it.
    fn consider(&mut self, index: usize) {
        let Operation { asked, called: _, answered } = &self.history[index];
        let next = self.order.after(self.place);
        if answered.is_none() && self.model.spent(&self.state, asked) {
            self.line.push(Taking { index, why: Why::Spent });
            self.order.take(index);
            self.place = next;
            return;
        }
        let after = if answered.is_some() == self.pass.takes_answered() { self.after(index) } else { None };
        match after {
            Some(_) if self.pass == Pass::Unchanging => {
                self.taken.insert(index);
                self.take(index, Why::Unchanging);
                self.place = next;
            }
            Some(after) => {
                self.taken.insert(index);
                if self.tried.insert((self.taken.clone(), after.clone())) {
                    let why = Why::Tried { before: std::mem::replace(&mut self.state, after), with: self.pass };
                    self.take(index, why);
                    self.pass = Pass::FIRST;
                    self.place = self.order.after(END);
                } else {
                    self.taken.remove(index);
                    self.place = next;
                }
            }
            None => self.place = next,
        }
    }

    /// The state behind an operation that comes next; `None` where it cannot, or is for another pass.
    fn after(&self, index: usize) -> Option<M::State> {
        let Operation { asked, called: _, answered } = &self.history[index];
        let after = match answered {
            Some((answer, _)) => self.model.answered(&self.state, asked, answer),
            None => self.model.done(&self.state, asked),
        };
        after.filter(|after| match self.pass {
            Pass::Unchanging => *after == self.state,
            Pass::Changing => true,
            Pass::Helpful => self.helps(after),
            Pass::Others => !self.helps(after),
        })
    }

    fn take(&mut self, index: usize, why: Why<M::State>) {
        self.line.push(Taking { index, why });
        self.explained += 1;
        self.left -= usize::from(self.history[index].answered.is_some());
        self.order.take(index);
    }

    /// Takes back the last choice and what followed from it. `false` where there was none: whatever comes first now was
    /// called after an answer that nothing has explained yet.
    fn go_back(&mut self) -> bool {
        if self.furthest.stuck.is_empty() || self.explained > self.furthest.explained.len() {
            let explained = self.line.iter().filter(|taking| !matches!(taking.why, Why::Spent));
            let explained = explained.map(|taking| taking.index).collect();
            self.furthest = Violation { explained, stuck: candidates(&self.order) };
        }
        while let Some(Taking { index, why }) = self.line.pop() {
            self.order.put_back(index);
            if matches!(why, Why::Spent) {
                continue;
            }
            self.taken.remove(index);
            self.explained -= 1;
            self.left += usize::from(self.history[index].answered.is_some());
            if let Why::Tried { before, with } = why {
                self.state = before;
                self.pass = with;
                self.place = self.order.after(self.order.call_of(index));
                return true;
            }
        }
        false
    }

    /// Whether that state explains an answer that could come next, and the present one does not.
    fn helps(&self, after: &M::State) -> bool {
        candidates(&self.order).into_iter().any(|index| match &self.history[index] {
            Operation { asked, answered: Some((answer, _)), .. } => {
                self.model.answered(&self.state, asked, answer).is_none()
                    && self.model.answered(after, asked, answer).is_some()
            }
            Operation { answered: None, .. } => false,
        })
    }
}

/// An operation that is out of the list.
struct Taking<S> {
    index: usize,
    why: Why<S>,
}

/// Why an operation is out of the list.
enum Why<S> {
    /// It comes next in the order that is tried: there were others.
    Tried { before: S, with: Pass },
    /// Its answer is explained where it stands and it changes nothing: if it may come later, it may come here. No choice.
    Unchanging,
    /// It has no answer and no effect any more. No choice.
    Spent,
}

/// Which operations are tried next at one place of the search. Those without an answer come last, for most of them
/// explain nothing, and each that is taken for nothing is found out late.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// With an answer that is explained, and without an effect.
    Unchanging,
    /// With an answer that is explained, and an effect.
    Changing,
    /// Without an answer, and behind it an answer is explained that was not before.
    Helpful,
    /// Without an answer, and with no such effect.
    Others,
}

impl Pass {
    const FIRST: Self = Self::Unchanging;

    fn following(self) -> Option<Self> {
        match self {
            Self::Unchanging => Some(Self::Changing),
            Self::Changing => Some(Self::Helpful),
            Self::Helpful => Some(Self::Others),
            Self::Others => None,
        }
    }

    fn takes_answered(self) -> bool {
        matches!(self, Self::Unchanging | Self::Changing)
    }
}

/// Operations that were called before the first answer that is left.
fn candidates(order: &Order) -> Vec<usize> {
    let places = std::iter::successors(Some(order.after(END)), |place| Some(order.after(*place)));
    places.map_while(|place| order.call_at(place)).collect()
}

/// A set of operations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Taken(Vec<u64>);

impl Taken {
    fn none_of(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn insert(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn remove(&mut self, index: usize) {
        self.0[index / 64] &= !(1 << (index % 64));
    }
}
