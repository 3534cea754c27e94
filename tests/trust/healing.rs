//! What others break, and how soon it is right again.
