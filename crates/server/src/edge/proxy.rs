//! PROXY protocol version 2, as balancers on layer 4 speak it: where a connection came from, before its first byte.
//!
//! Only what the configuration names is believed, and from that the header is required: without one every party
//! would seem to come from the balancer.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::io::{AsyncRead, AsyncReadExt as _};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header that is read: addresses and some extensions.
const MOST_BYTES: usize = 2048;

/// Reads the header. `None` when the balancer speaks for itself, as it does to see whether the broker lives.
///
/// # Errors
/// When the connection does not begin with a header of version 2 for a connection over IP.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; 16];
    stream.read_exact(&mut head).await?;
    let [signature @ .., command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if signature != SIGNATURE || length > MOST_BYTES {
        return Err(malformed());
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (command, family) {
        (0x20, _) => Ok(None),
        (0x21, 0x11) => origin::<4>(&rest).map(Some).ok_or_else(malformed),
        (0x21, 0x21) => origin::<16>(&rest).map(Some).ok_or_else(malformed),
        _ => Err(malformed()),
    }
}

/// The first of two addresses of so many bytes, with the first of the two ports behind them.
fn origin<const N: usize>(addresses: &[u8]) -> Option<SocketAddr>
where
    IpAddr: From<[u8; N]>,
{
    let (ip, rest) = addresses.split_first_chunk::<N>()?;
    let (_, ports) = rest.split_first_chunk::<N>()?;
    let (port, _) = ports.split_first_chunk()?;
    Some((IpAddr::from(*ip), u16::from_be_bytes(*port)).into())
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a balancer must begin with PROXY protocol version 2 for TCP",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, body].concat()
    }

    async fn told(bytes: &[u8]) -> io::Result<Option<SocketAddr>> {
        read(&mut &*bytes).await
    }

    #[tokio::test]
    async fn the_origin_is_read_and_not_a_byte_more() {
        let four = [192, 0, 2, 7, 10, 0, 0, 5, 0xc3, 0x50, 0x1d, 0x13];
        let mut bytes = header(0x21, 0x11, &[&four[..], b"extension"].concat());
        bytes.push(0x16);
        let mut stream = &bytes[..];
        let origin = read(&mut stream).await.unwrap();
        assert_eq!(origin, Some("192.0.2.7:50000".parse().unwrap()));
        assert_eq!(stream, [0x16], "the handshake follows");
        let mut six = [0; 36];
        (six[0], six[1], six[15], six[32], six[33]) = (0x20, 0x01, 7, 0xc3, 0x50);
        let origin = told(&header(0x21, 0x21, &six)).await.unwrap();
        assert_eq!(origin, Some("[2001::7]:50000".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_balancer_may_speak_for_itself() {
        assert_eq!(told(&header(0x20, 0, &[])).await.unwrap(), None);
    }

    #[tokio::test]
    async fn everything_else_is_refused() {
        let short = header(0x21, 0x11, &[192, 0, 2, 7]);
        let version_one = b"PROXY TCP4 192.0.2.7 10.0.0.5 50000 7443\r\n".to_vec();
        for bytes in [
            Vec::new(),
            vec![0x16; 64],
            version_one,
            short,
            header(0x21, 0x31, &[0; 216]),
            header(0x31, 0x11, &[0; 12]),
            header(0x21, 0x11, &[0; 2049]),
        ] {
            assert!(told(&bytes).await.is_err(), "{bytes:?}");
        }
    }
}
