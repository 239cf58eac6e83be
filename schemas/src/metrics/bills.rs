//! What each figure of the bill check means. `peak_bandwidth_bps` stands with the reports.

use super::Metric;

/// Every figure that the bill check shows, in the order in which a page shows them.
pub(super) const BILLS: &[Metric] = &[
    define!(
        "client_bytes",
        "B",
        "Network body bytes that players report of the contract's CDNs and domains, in the contract's own days",
        "播放器上报的、属于合同 CDN 与域名的响应正文字节数，按合同时区的日期",
        "Livemeter"
    ),
    define!(
        "log_bytes",
        "B",
        "Bytes of the vendor's access log, each request once; headers included where the vendor logs them",
        "厂商访问日志的字节数，每个请求只计一次；厂商记录响应头的，含响应头",
        "Livemeter"
    ),
    define!(
        "log_overhead_bytes",
        "B",
        "What a log counts beyond bodies, such as headers, by the contract's factor: client bytes × (factor − 1), not measured",
        "日志在正文之外计入的部分（如响应头），按合同系数：客户端字节 ×（系数 − 1），并非测量",
        "contract"
    ),
    define!(
        "overhead_bytes",
        "B",
        "What is billed beyond the log by the contract's factor: TCP/IP headers and what was sent again; of a day, with what its log counts beyond bodies. Not measured",
        "按合同系数在日志之上计费的部分：TCP/IP 包头与重传；按日的数含日志在正文之外计入的部分。并非测量",
        "contract"
    ),
    define!(
        "invoice_difference_bytes",
        "B",
        "Invoice − log − overhead: billed beyond what the contract allows",
        "账单 − 日志 − 开销：超出合同约定的计费",
        "Livemeter"
    ),
    define!(
        "telemetry_loss_bytes",
        "B",
        "An estimate: tails of sessions without an end, and sessions in the log that never reported; with an interval",
        "估计值：没有结束事件的会话尾部，以及日志中有而从未上报的会话；附区间",
        "Livemeter"
    ),
    define!(
        "without_sdk_bytes",
        "B",
        "Log lines of no known session; where the log has no session id, one figure with what is unexplained",
        "不属于任何已知会话的日志行；日志没有会话标识时，与未解释部分合为一个数",
        "Livemeter"
    ),
    define!(
        "unexplained_bytes",
        "B",
        "What is left of log − client after the other steps; labelled so, and never hidden in another",
        "日志 − 客户端在扣除其他各步之后的剩余；如实标明，不并入其他项",
        "Livemeter"
    ),
    define!(
        "window_bandwidth_bps",
        "bit/s",
        "Bytes in the 5-minute window × 8 ÷ 300 s; of the vendor's log where there is one",
        "5 分钟窗口内字节 × 8 ÷ 300 秒；有厂商日志时以日志为准",
        "percentile billing"
    ),
    define!(
        "rank",
        "",
        "Place among the period's 5-minute samples, 1 the largest; the largest are dropped as the contract says, the next is billed",
        "在周期内 5 分钟采样中的名次，1 为最大；按合同去掉最大的若干个，下一个用于计费",
        "percentile billing"
    ),
    define!(
        "expected_quantity",
        "",
        "Our own arithmetic under the contract, over the vendor's log where there is one, else over the client's count",
        "按合同自行计算的用量；有厂商日志时以日志为准，否则以客户端计量为准",
        "contract"
    ),
    define!("invoice_quantity", "", "As it stands on the invoice", "账单所写", "invoice"),
    define!(
        "expected_amount",
        "",
        "Expected quantity at the contract's prices, rounded as the contract says",
        "应计用量按合同价格计算，按合同约定舍入",
        "contract"
    ),
    define!("invoice_amount", "", "As it stands on the invoice", "账单所写", "invoice"),
    define!("difference_amount", "", "Invoiced − expected: above zero is claimed too much", "账单 − 应收：大于零为多收", "Livemeter"),
    define!("mode_quantity", "", "What would be billed under this mode", "在该计费方式下的计费用量", "contract"),
    define!(
        "mode_amount",
        "",
        "What the same month would have cost under this mode and its prices",
        "同一个月在该计费方式及其价格下的费用",
        "contract"
    ),
    define!(
        "forecast_p95_bps",
        "bit/s",
        "The 95th percentile of the whole period's 5-minute samples, from the windows so far; an estimate, with its interval",
        "由目前的窗口推断整个周期 5 分钟采样的第 95 百分位；估计值，附区间",
        "Livemeter"
    ),
    define!(
        "burst_slots",
        "",
        "Windows of the period that the percentile drops; a window above the level uses one",
        "周期内被百分位去掉的窗口数；高于该水平的窗口用掉一个",
        "percentile billing"
    ),
    define!(
        "before_bytes",
        "B",
        "Bytes counted under the contract as it was, and its share of all of them; by logs where each contract has logs that count alike, else as players report",
        "该合同实际计量的字节数及其占比；各合同都有同口径日志时以日志为准，否则以播放器上报为准",
        "Livemeter"
    ),
    define!(
        "after_bytes",
        "B",
        "The same after the share of each 5-minute window has gone to the other contract",
        "每个 5 分钟窗口按比例移到另一合同之后的字节数",
        "Livemeter"
    ),
    define!("before_amount", "", "The bill of the contract over the bytes as they were", "按实际字节数计算的合同账单", "Livemeter"),
    define!(
        "after_amount",
        "",
        "The bill of the contract over the bytes after the move: worked out anew, window by window",
        "移动之后逐窗口重新计算的合同账单",
        "Livemeter"
    ),
    define!("after_less_before_amount", "", "After − before: below zero is saved", "移动后 − 移动前：小于零为节省", "Livemeter"),
];
