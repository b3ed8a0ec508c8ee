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
    let mut order = Order::of(history);
    let mut left = history.iter().filter(|operation| operation.answered.is_some()).count();
    let mut state = model.initial();
    let mut taken = Taken::none_of(history.len());
    let mut tried: HashSet<(Taken, M::State)> = HashSet::new();
    let mut line: Vec<Taking<M::State>> = Vec::new();
    let mut explains = 0;
    let mut furthest = Violation { explained: Vec::new(), stuck: Vec::new() };
    let mut place = order.after(END);
    let mut pass = Pass::FIRST;
    for steps in 0..max_steps {
        // Operations without an answer need not have happened.
        if left == 0 {
            return Checked { verdict: Verdict::Linearizable, steps };
        }
        let Some(index) = order.call_at(place) else {
            if let Some(following) = pass.following() {
                pass = following;
                place = order.after(END);
                continue;
            }
            // Whatever comes first now was called after an answer that nothing has explained yet.
            if furthest.stuck.is_empty() || explains > furthest.explained.len() {
                let explained = line.iter().filter(|taking| !matches!(taking.why, Why::Spent));
                furthest =
                    Violation { explained: explained.map(|taking| taking.index).collect(), stuck: candidates(&order) };
            }
            let (index, before, with) = loop {
                let Some(Taking { index, why }) = line.pop() else {
                    return Checked { verdict: Verdict::Violated(furthest), steps };
                };
                order.put_back(index);
                if !matches!(why, Why::Spent) {
                    taken.remove(index);
                    explains -= 1;
                    left += usize::from(history[index].answered.is_some());
                }
                if let Why::Tried { before, with } = why {
                    break (index, before, with);
                }
            };
            state = before;
            pass = with;
            place = order.after(order.call_of(index));
            continue;
        };
        let Operation { asked, called: _, answered } = &history[index];
        let next = order.after(place);
        if answered.is_none() && model.spent(&state, asked) {
            line.push(Taking { index, why: Why::Spent });
            order.take(index);
            place = next;
            continue;
        }
        if answered.is_some() != pass.takes_answered() {
            place = next;
            continue;
        }
        let after = match answered {
            Some((answer, _)) => model.answered(&state, asked, answer),
            None => model.done(&state, asked),
        };
        let fits = |after: &M::State| match pass {
            Pass::Unchanging => *after == state,
            Pass::Changing => true,
            Pass::Helpful => helps(model, history, &order, &state, after),
            Pass::Others => !helps(model, history, &order, &state, after),
        };
        let Some(after) = after.filter(fits) else {
            place = next;
            continue;
        };
        taken.insert(index);
        let why = if pass == Pass::Unchanging {
            place = next;
            Why::Unchanging
        } else if tried.insert((taken.clone(), after.clone())) {
            let why = Why::Tried { before: std::mem::replace(&mut state, after), with: pass };
            pass = Pass::FIRST;
            why
        } else {
            taken.remove(index);
            place = next;
            continue;
        };
        let chosen = matches!(why, Why::Tried { .. });
        line.push(Taking { index, why });
        explains += 1;
        left -= usize::from(answered.is_some());
        order.take(index);
        if chosen {
            place = order.after(END);
        }
    }
    Checked { verdict: Verdict::Undecided { steps: max_steps }, steps: max_steps }
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

/// Whether one state explains an answer that could come next, and another does not.
fn helps<M: Model>(
    model: &M,
    history: &[Operation<M::Asked, M::Answer>],
    order: &Order,
    before: &M::State,
    after: &M::State,
) -> bool {
    candidates(order).into_iter().any(|index| match &history[index] {
        Operation { asked, answered: Some((answer, _)), .. } => {
            model.answered(before, asked, answer).is_none() && model.answered(after, asked, answer).is_some()
        }
        Operation { answered: None, .. } => false,
    })
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
