//! Sentences about a bill in the product's two languages, made where their figures are known, and the names of the
//! figures that go into a step. What a page or a command says around them stands there.

use crate::exact::Rounding;
use serde::Serialize;

/// The same sentence in English and in Chinese.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    pub en: String,
    pub zh: String,
}

impl Told {
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Told {
        Told { en: en.into(), zh: zh.into() }
    }

    /// Figures and signs alone: the same in every language.
    pub fn figures(text: impl Into<String>) -> Told {
        let text = text.into();
        Told { en: text.clone(), zh: text }
    }
}

/// A step's figure by its name in Chinese. Every name that a step uses is here.
pub fn input_zh(name: &str) -> Option<&'static str> {
    Some(match name {
        "amount" => "金额",
        "bytes" => "字节",
        "committed" => "保底",
        "days" => "天数",
        "days_of_month" => "当月天数",
        "dropped" => "去掉",
        "dropped_of_288" => "每 288 个去掉",
        "factor" => "系数",
        "free" => "免费额度",
        "lines" => "行数",
        "quantity" | "used" => "用量",
        "rank" => "名次",
        "samples" => "采样",
        "unit" => "单位",
        "window" => "窗口",
        "windows" => "窗口数",
        _ => return None,
    })
}

pub(crate) fn rounded(decimals: u32, rounding: Rounding) -> Told {
    let (en, zh) = match rounding {
        Rounding::HalfUp => ("half away from zero", "四舍五入"),
        Rounding::HalfEven => ("half to even", "四舍六入五取偶"),
        Rounding::Down => ("towards zero", "向零舍去"),
        Rounding::Up => ("away from zero", "远离零进位"),
    };
    Told::new(format!("to {decimals} decimals, {en}"), format!("保留 {decimals} 位小数，{zh}"))
}
