//! A line between client and broker that can be cut.

use std::sync::{Arc, Mutex};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// Carries connections on to an address.
pub(crate) struct Line {
    pub(crate) address: String,
    carried: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Line {
    pub(crate) async fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let carried = Arc::new(Mutex::new(Vec::new()));
        let (address, connections) = (address.to_owned(), Arc::clone(&carried));
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = TcpStream::connect(&address).await.unwrap();
                let carry = tokio::spawn(async move {
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
                connections.lock().unwrap().push(carry.abort_handle());
            }
        });
        Self {
            address: own,
            carried,
        }
    }

    /// Cuts every connection; new ones are carried as before.
    pub(crate) fn cut(&self) {
        self.carried
            .lock()
            .unwrap()
            .drain(..)
            .for_each(|carry| carry.abort());
    }

    pub(crate) fn connections(&self) -> usize {
        self.carried.lock().unwrap().len()
    }
}
