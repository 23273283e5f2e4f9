use bytes::Bytes;
use metal_storage::{Error, Etcd, EtcdOptions};
use tokio::net::TcpListener;

/// Answers whatever it is asked as an etcd of this version answers for its status.
async fn answer(listener: TcpListener, version: &'static str) {
    let (socket, _) = listener.accept().await.unwrap();
    let mut connection = h2::server::handshake(socket).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let head = http::Response::builder()
            .header("content-type", "application/grpc")
            .body(())
            .unwrap();
        let mut stream = respond.send_response(head, false).unwrap();
        // Field 2, a string.
        let mut message = vec![0x12, version.len() as u8];
        message.extend(version.bytes());
        let mut frame = vec![0, 0, 0, 0, message.len() as u8];
        frame.extend(message);
        stream.send_data(Bytes::from(frame), false).unwrap();
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        stream.send_trailers(trailers).unwrap();
    }
}

#[tokio::test]
async fn an_etcd_that_is_too_old_is_refused() {
    for version in ["3.3.25", "2.3.8", "", "three"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(answer(listener, version));
        let error = Etcd::connect(EtcdOptions::new([address]), &[])
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{version:?}: {error:?}");
        assert!(error.to_string().contains("3.4 and newer"), "{error}");
        server.abort();
    }
}
