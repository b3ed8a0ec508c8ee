//! What of tickets is fixed before key holders are asked, and what is made of it afterwards.

use renkei_access::{
    ConsentSet, ConsentText, Evidence, Purpose, SealedParts, SealedShare, SignedTicket, TicketDraft, TicketHeader,
};
use renkei_envelope::{Attribute, Claims, Commitment, Commitments, DaySecret, EncodedPoint, PersonSeed};
use renkei_ids::{BindingId, CloudId, PersonId, PseudonymEpoch, TicketId, UnixMillis, UnixMinute};
use renkei_pseudonym::{Person, TransitPoint, Unblind, blind};
use renkei_runtime::{SystemRandom, draw};
use renkei_wire::registrar::CloudTicket;
use renkei_wire::{ErrorCode, Refusal};

use super::{Translated, Wanted};
use crate::directory::{Asker, Audience};
use crate::keys::Keys;
use crate::values::RegisteredValues;

/// What every ticket of one check-in says.
pub(crate) struct Ticketing {
    pub(crate) asker: Asker,
    pub(crate) person: PersonId,
    pub(crate) seed: PersonSeed,
    pub(crate) generation: u32,
    pub(crate) binding: BindingId,
    /// What the insurer registered, which commitments are made to.
    pub(crate) values: RegisteredValues,
    pub(crate) purpose: Purpose,
    pub(crate) categories: ConsentSet,
    pub(crate) text: ConsentText,
    pub(crate) evidence: Evidence,
    pub(crate) issued: UnixMinute,
    pub(crate) expires: UnixMinute,
}

/// The tickets of one check-in, begun.
pub(crate) struct Drafts {
    ticketing: Ticketing,
    tickets: Vec<(CloudId, Result<Begun, Refusal>)>,
}

/// One ticket, begun: a draft, and for each epoch what takes the blinding off.
struct Begun {
    audience: Audience,
    draft: TicketDraft,
    unblind: Vec<(PseudonymEpoch, Unblind)>,
}

impl Ticketing {
    /// From when until when tickets are taken: not beyond the grant.
    ///
    /// # Errors
    /// `grant_ended`, where less than a minute of it is left.
    pub(crate) fn life(
        now: UnixMillis,
        minutes: u32,
        grant_ends: UnixMillis,
    ) -> Result<(UnixMinute, UnixMinute), Refusal> {
        let issued = UnixMinute::of(now);
        let expires = issued.plus(minutes).min(UnixMinute::of(grant_ends));
        if expires > issued { Ok((issued, expires)) } else { Err(Refusal::new(ErrorCode::GrantEnded)) }
    }

    fn header(&self, audience: &Audience) -> TicketHeader {
        TicketHeader {
            id: TicketId::from_bytes(draw()),
            salt: draw(),
            audience: audience.cloud,
            institution: self.asker.id,
            home_cell: self.asker.home_cell,
            serving_cell: audience.serving_cell,
            epoch: audience.epoch,
            rotating: audience.rotating,
            purpose: self.purpose,
            categories: self.categories,
            evidence: self.evidence,
            consent_text: (!self.categories.is_empty()).then_some(self.text),
            issued: self.issued,
            expires: self.expires,
        }
    }

    fn commitments(&self) -> Commitments {
        let RegisteredValues { member, items } = &self.values;
        let commit = |attribute, value: &str| Some(Commitment::new(attribute, value, &SystemRandom));
        Commitments {
            birth_date: commit(Attribute::BirthDate, &items.birth_date().to_string()),
            sex: commit(Attribute::Sex, items.sex().code()),
            member_id: commit(Attribute::MemberId, member.comparison_form()),
        }
    }
}

impl Drafts {
    /// Fixes headers and blinds points: what is to be translated, in the order in which [`Drafts::finish`] takes it back.
    pub(crate) fn begin(
        ticketing: Ticketing,
        audiences: Vec<(CloudId, Result<Audience, Refusal>)>,
    ) -> (Self, Vec<Wanted>) {
        let person = Person::new(ticketing.seed.expose(), ticketing.generation);
        let mut wanted = Vec::new();
        let mut begin = |audience: Audience| {
            let draft =
                TicketDraft::new(ticketing.header(&audience)).map_err(|_| Refusal::new(ErrorCode::InternalIo))?;
            let epochs: Vec<PseudonymEpoch> = draft.header().epochs().collect();
            let blinded = blind(&vec![&person; epochs.len()], &SystemRandom).expect("two epochs are a batch");
            let mut unblind = Vec::with_capacity(epochs.len());
            for (epoch, (undo, point)) in epochs.into_iter().zip(blinded) {
                let day = ticketing.issued.day();
                wanted.push(Wanted { day, cloud: audience.cloud, epoch, digest: draft.digest(), point });
                unblind.push((epoch, undo));
            }
            Ok(Begun { audience, draft, unblind })
        };
        let tickets = audiences.into_iter().map(|(cloud, audience)| (cloud, audience.and_then(&mut begin))).collect();
        (Self { ticketing, tickets }, wanted)
    }

    /// Why there is no ticket at all, cloud by cloud: for where nothing is to be translated.
    pub(crate) fn unmade(self) -> Vec<CloudTicket> {
        let refusal = |begun: Result<Begun, Refusal>| begun.err().unwrap_or(Refusal::new(ErrorCode::InternalIo));
        let unmade = |(cloud, begun)| CloudTicket { cloud, ticket: Err(refusal(begun)) };
        self.tickets.into_iter().map(unmade).collect()
    }

    /// The tickets, of what the key holders gave.
    pub(crate) fn finish(
        self,
        keys: &Keys,
        secret: &DaySecret,
        translated: Vec<Result<Translated, Refusal>>,
    ) -> Vec<CloudTicket> {
        let Self { ticketing, tickets } = self;
        let mut translated = translated.into_iter();
        let finished = tickets.into_iter().map(|(cloud, begun)| {
            let ticket = begun.and_then(|begun| {
                // Taken off the list whether the ticket can be finished or not.
                let count = begun.unblind.len();
                let own: Vec<_> = translated.by_ref().take(count).collect();
                begun.finish(&ticketing, keys, secret, own)
            });
            CloudTicket { cloud, ticket }
        });
        finished.collect()
    }
}

impl Begun {
    fn finish(
        self,
        ticketing: &Ticketing,
        keys: &Keys,
        secret: &DaySecret,
        translated: Vec<Result<Translated, Refusal>>,
    ) -> Result<SignedTicket, Refusal> {
        let Self { audience, draft, unblind } = self;
        let mut shares = Vec::new();
        let mut points = Vec::new();
        for ((epoch, unblind), translated) in unblind.into_iter().zip(translated) {
            let Translated { point, shares: sealed } = translated?;
            let own = |(holder, sealed): (_, renkei_envelope::SealedShareForm)| SealedShare {
                epoch,
                holder,
                sealed: sealed.as_bytes().clone(),
            };
            shares.extend(sealed.into_iter().map(own));
            points.push(encoded(&unblind.finish(&point)));
        }
        let mut points = points.into_iter();
        let claims = Claims {
            mark: keys.marks.mark(ticketing.person, audience.cloud),
            binding: ticketing.binding,
            probe: false,
            points: (points.next().ok_or(Refusal::new(ErrorCode::KeyholderUnavailable))?, points.next()),
            epoch: audience.epoch,
        };
        let key = secret.ticket_key(ticketing.issued.day(), audience.cloud);
        let claims = key.seal_claims(draft.digest(), &claims, &SystemRandom);
        let unsealable = |_| Refusal::new(ErrorCode::CloudMismatch);
        let commitments =
            audience.commitments.seal_commitments(draft.digest(), &ticketing.commitments(), &SystemRandom);
        let sealed = SealedParts { shares, claims, commitments: commitments.map_err(unsealable)? };
        draft.sign(&sealed, &keys.signing).map_err(|_| Refusal::new(ErrorCode::InternalIo))
    }
}

fn encoded(point: &TransitPoint) -> EncodedPoint {
    EncodedPoint::from_bytes(point.encode())
}
