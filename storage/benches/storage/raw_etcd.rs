use bytes::Bytes;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Response};
use tonic_prost::ProstCodec;

use self::proto::{RequestOp, TxnRequest, TxnResponse};
use crate::commits::{CLIENTS, run};
use crate::data::{DOCUMENT, document, next};
use crate::raw::ratio;

#[path = "../../src/etcd/proto.rs"]
#[allow(dead_code, reason = "the store uses more of it")]
mod proto;

/// The same document put into the same cluster by the same client without a store, one transaction
/// each: no index, no order of changes, nothing that a watcher could miss.
pub async fn measure(member: &str, ours: &[f64]) {
    println!("\netcd without a store: one put, nothing promised");
    let channel = Channel::from_shared(format!("http://{member}")).unwrap();
    let channel = channel.tcp_nodelay(true).connect().await.unwrap();
    let mut rates = Vec::new();
    for clients in CLIENTS {
        let channel = channel.clone();
        rates.push(run(clients, move || put(channel.clone())).await);
    }
    ratio(ours, &rates);
}

async fn put(channel: Channel) {
    let key = Bytes::from(format!("raw/{:010}", next()));
    let txn = TxnRequest {
        success: vec![RequestOp::put(key, document(DOCUMENT))],
        ..TxnRequest::default()
    };
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/etcdserverpb.KV/Txn");
    let codec = ProstCodec::<TxnRequest, TxnResponse>::default();
    let answer = grpc.unary(Request::new(txn), path, codec).await;
    assert!(answer.map(Response::into_inner).unwrap().succeeded);
}
