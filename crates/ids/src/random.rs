/// A source of random bytes, given by the service.
///
/// An implementation that cannot give unguessable bytes ends the process: there is nothing that could go on without.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, into: &mut [u8]);
}

impl<R: Random + ?Sized> Random for &R {
    fn fill(&self, into: &mut [u8]) {
        (**self).fill(into);
    }
}
