//! Judging tickets: from what travelled to a pseudonym, or the reason against. Nothing here reads the state.

use renkei_access::{ConsentCategory, ConsentSet, Directory, InvalidTicket, Limit, OpeningLimits, Presented};
use renkei_access::{SealedShare, SignedTicket, Ticket, TicketHeader, TicketRefusal};
use renkei_envelope::{Pseudonym, SealedShareForm, SharePlace};
use renkei_ids::{BindingId, CellId, CloudId, InstitutionId, KeyHash, KeyholderId, PersonMark, UnixDay, UnixMillis};
use renkei_pseudonym::{Share, TransitPoint, Unmask};
use renkei_wire::Refusal;
use renkei_wire::vault::TicketOpening;

use crate::state::Reason;
use crate::ticket_keys::DayKeys;

/// Who presents tickets, where and when, and what is known of them.
pub(super) struct Desk<'a> {
    pub(super) cloud: CloudId,
    pub(super) gateway: KeyHash,
    pub(super) directory: &'a Directory,
    pub(super) now: UnixMillis,
}

/// What a good ticket says.
pub(super) struct Judged {
    pub(super) header: TicketHeader,
    pub(super) pseudonym: Pseudonym,
    pub(super) mark: PersonMark,
    pub(super) binding: BindingId,
    pub(super) breadth: Limit,
}

/// Why a ticket is not opened.
pub(super) enum NotOpened {
    /// It is refused, and that is recorded with what was read of it.
    Refused(Reason, Option<Box<TicketHeader>>),
    /// This vault cannot tell: its ticket keys of the day are missing.
    Unable(Refusal),
}

/// Judges a ticket, in the order of docs/PROTOCOL.md. `keys` gives the ticket keys of a day.
pub(super) fn judge(
    asked: &TicketOpening,
    desk: &Desk<'_>,
    keys: impl FnOnce(UnixDay) -> Result<DayKeys, Refusal>,
) -> Result<Judged, NotOpened> {
    let ticket = verified(&asked.ticket, desk.directory).map_err(|reason| NotOpened::Refused(reason, None))?;
    let refused = |reason| NotOpened::Refused(reason, Some(Box::new(ticket.header.clone())));
    ticket.header.admits(&presented(asked, desk).map_err(refused)?, desk.now).map_err(|why| refused(reason(why)))?;
    let institution = desk.directory.institution(asked.institution).ok_or_else(|| refused(Reason::NotEnrolled))?;
    if !institution.kind.allows(ticket.header.purpose).allows(asked.scope) {
        return Err(refused(Reason::Evidence));
    }
    let breadth = breadth(&ticket.header, desk).ok_or_else(|| refused(Reason::NotEnrolled))?;
    let keys = keys(ticket.header.key_day()).map_err(NotOpened::Unable)?;
    let (pseudonym, mark, binding) = opened(&ticket, desk, &keys).ok_or_else(|| refused(Reason::Sealed))?;
    Ok(Judged { header: ticket.header, pseudonym, mark, binding, breadth })
}

fn verified(ticket: &SignedTicket, directory: &Directory) -> Result<Ticket, Reason> {
    ticket.verify(&directory.entries().registrars).map_err(|invalid| match invalid {
        InvalidTicket::TooShort(_)
        | InvalidTicket::TooLong(_)
        | InvalidTicket::Signature
        | InvalidTicket::Format(_)
        | InvalidTicket::Malformed(_)
        | InvalidTicket::Life(_)
        | InvalidTicket::Limit(_) => Reason::Ticket,
    })
}

/// Who presents it: the gateway's cell by the key of its certificate, everything else by the directory.
fn presented(asked: &TicketOpening, desk: &Desk<'_>) -> Result<Presented, Reason> {
    let Desk { cloud, gateway, directory, .. } = desk;
    let epoch = directory.cloud(*cloud).ok_or(Reason::OtherCloud)?.epoch;
    let cell = directory.cell_of(gateway).ok_or(Reason::OtherCell)?.id;
    Ok(Presented {
        cloud: *cloud,
        epoch,
        institution: asked.institution,
        home_cell: asked.home_cell,
        cell,
        denied: denies(directory, (asked.institution, asked.home_cell, cell)),
        scope: asked.scope,
        categories: asked.reads.iter().map(|class| class.category.consent()).fold(ConsentSet::NONE, with),
    })
}

fn denies(directory: &Directory, (institution, home, serving): (InstitutionId, CellId, CellId)) -> bool {
    directory.denies_institution(institution) || directory.denies_cell(home) || directory.denies_cell(serving)
}

fn with(set: ConsentSet, category: ConsentCategory) -> ConsentSet {
    set.with(category).unwrap_or(set)
}

/// How many patients the institution may open on this evidence; `None` for one that the directory does not name.
fn breadth(header: &TicketHeader, desk: &Desk<'_>) -> Option<Limit> {
    let limits = OpeningLimits::of(desk.directory.visits(header.institution, desk.now)?);
    Some(if header.evidence.is_emergency() { limits.emergency } else { limits.open })
}

const fn reason(refusal: TicketRefusal) -> Reason {
    match refusal {
        TicketRefusal::OtherCloud => Reason::OtherCloud,
        TicketRefusal::OtherInstitution => Reason::OtherInstitution,
        TicketRefusal::OtherHomeCell => Reason::OtherHomeCell,
        TicketRefusal::OtherCell => Reason::OtherCell,
        TicketRefusal::OtherEpoch => Reason::OtherEpoch,
        TicketRefusal::NotYetValid => Reason::NotYetValid,
        TicketRefusal::Expired => Reason::Expired,
        TicketRefusal::Denied => Reason::Denied,
        TicketRefusal::Evidence => Reason::Evidence,
        TicketRefusal::Category => Reason::Category,
    }
}

/// Opens what is sealed, under the cloud's epoch, and takes the masks off. Every key holder's share must be there, for
/// without one the point is nobody's; `None` where something does not open.
fn opened(ticket: &Ticket, desk: &Desk<'_>, keys: &DayKeys) -> Option<(Pseudonym, PersonMark, BindingId)> {
    let epoch = desk.directory.cloud(desk.cloud)?.epoch;
    let claims = keys.registrar.open_claims(ticket.digest, &ticket.sealed.claims).ok()?;
    let point = match &claims.points {
        (point, _) if claims.epoch == epoch => point,
        (_, Some(next)) if claims.epoch.0.checked_add(1) == Some(epoch.0) => next,
        _ => return None,
    };
    let of_epoch: Vec<&SealedShare> = ticket.sealed.shares.iter().filter(|share| share.epoch == epoch).collect();
    let mut holders: Vec<KeyholderId> = of_epoch.iter().map(|share| share.holder).collect();
    holders.sort_unstable();
    if !keys.holders.keys().copied().eq(holders) {
        return None;
    }
    let mut shares = Vec::with_capacity(of_epoch.len());
    for SealedShare { epoch, holder, sealed } in of_epoch {
        let place = SharePlace { digest: ticket.digest, holder: *holder, epoch: *epoch };
        let sealed = SealedShareForm::try_from(sealed.clone()).ok()?;
        let share = keys.holders.get(holder)?.open_share(&place, &sealed).ok()?;
        shares.push(Share::try_from(&share.expose()[..]).ok()?);
    }
    let point = TransitPoint::try_from(&point.expose()[..]).ok()?;
    let pseudonym = Unmask::new(&shares).ok()?.open(&point);
    Some((Pseudonym::from_bytes(*pseudonym.encode()), claims.mark, claims.binding))
}

#[cfg(test)]
mod tests;
